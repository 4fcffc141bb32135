from pathlib import Path

TEMPLATES = Path("/srv/app/templates")


def template(request: dict[str, str]) -> str:
    name = request["name"]
    return (TEMPLATES / name).read_text()
