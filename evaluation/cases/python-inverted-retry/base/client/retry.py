RETRYABLE = {429, 502, 503, 504}


def should_retry(status: int, attempt: int) -> bool:
    return attempt < 5
