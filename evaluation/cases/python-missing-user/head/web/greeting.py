from web.store import Store


def greeting(store: Store, user_id: int) -> str:
    user = store.find_user(user_id)
    return f"Hello, {user.first_name} {user.last_name}"
