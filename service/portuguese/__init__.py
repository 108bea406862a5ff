PORTUGUESE_TEXTS: dict[str, str] = {}
