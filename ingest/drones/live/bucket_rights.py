"""Credentials for the bucket that end by themselves, good for the prefix of one controller or dock (STS AssumeRole)."""

from __future__ import annotations

import json
from typing import Any

from core.errors import InputInvalid
from core.settings import Settings

LASTS_S = 3600


def parts_of(settings: Settings) -> tuple[str, str]:
    """(bucket, prefix without slashes at its ends)."""
    name, _, prefix = settings.drone_bucket.removeprefix("s3://").partition("/")
    return name, prefix.strip("/")


def credentials(settings: Settings, sn: str) -> dict[str, Any]:
    """As Pilot and docks want them; the policy allows uploads below the controller's own prefix and nothing else."""
    name, prefix = parts_of(settings)
    own = "/".join(filter(None, (prefix, sn)))
    policy = {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Resource": [f"arn:aws:s3:::{name}/{own}/*"],
        "Action": ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
    }]}  # fmt: skip
    found = _assumed(settings, json.dumps(policy))
    return {
        "bucket": name, "endpoint": settings.drone_bucket_endpoint, "region": settings.drone_bucket_region,
        "provider": settings.drone_bucket_provider, "object_key_prefix": own,
        "credentials": {
            "access_key_id": found["AccessKeyId"], "access_key_secret": found["SecretAccessKey"],
            "security_token": found["SessionToken"], "expire": LASTS_S,
        },
    }  # fmt: skip


def _assumed(settings: Settings, policy: str) -> dict[str, str]:
    import botocore.exceptions
    import botocore.session

    client = botocore.session.get_session().create_client(
        "sts", region_name=settings.drone_bucket_region, endpoint_url=settings.drone_bucket_endpoint or None,
        aws_access_key_id=settings.drone_bucket_key, aws_secret_access_key=settings.drone_bucket_secret,
    )  # fmt: skip
    try:
        answer = client.assume_role(
            RoleArn="arn:aws:iam::123456789012:role/yiwang", RoleSessionName="pilot", Policy=policy,
            DurationSeconds=LASTS_S,
        )  # fmt: skip
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
        raise InputInvalid(field="bucket", detail=f"gives no credentials: {error}", how="check its STS") from error
    found: dict[str, str] = answer["Credentials"]
    return found
