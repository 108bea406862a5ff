"""What Schemathesis cannot write by itself: pieces of uploads."""

import schemathesis


@schemathesis.serializer("application/partial-upload")
def partial_upload(context, value):
    return value if isinstance(value, bytes) else str(value).encode()
