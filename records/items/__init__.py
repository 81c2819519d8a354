"""Service items (政务服务事项): elements and rules as data, checks, problem lists, reuse, bundles."""
