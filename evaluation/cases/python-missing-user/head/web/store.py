from dataclasses import dataclass


@dataclass
class User:
    first_name: str
    last_name: str


class Store:
    def __init__(self) -> None:
        self._users: dict[int, User] = {}

    def find_user(self, user_id: int) -> User | None:
        return self._users.get(user_id)
