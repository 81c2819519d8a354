"""YAML of what a city adds (mappings, sources), with keys and words as they stand."""

from __future__ import annotations

import re
from typing import Any

import yaml


class _Words(yaml.SafeLoader):
    """YAML whose keys are texts as they stand (Python takes ``true`` and ``1`` for one key), with YAML 1.2's truth
    values: ``on``, ``off``, ``yes`` and ``no`` stay words, as the states of switches are."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """As in the base class, with texts as keys."""
        if isinstance(node, yaml.MappingNode):
            self.flatten_mapping(node)
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode):
                    key.tag = "tag:yaml.org,2002:str"
        return super().construct_mapping(node, deep=deep)


_Words.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in known if tag != "tag:yaml.org,2002:bool"]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_TRUTH = re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z")
_Words.add_implicit_resolver("tag:yaml.org,2002:bool", _TRUTH, list("tTfF"))


def read_yaml(text: str) -> Any:
    """The document; ``yaml.YAMLError``."""
    return yaml.load(text, _Words)  # noqa: S506 - a SafeLoader
