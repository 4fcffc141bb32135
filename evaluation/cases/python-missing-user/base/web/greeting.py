from web.store import Store


def greeting(store: Store, user_id: int) -> str:
    return f"Hello, visitor {user_id}"
