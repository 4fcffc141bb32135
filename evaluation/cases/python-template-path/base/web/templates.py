from pathlib import Path

TEMPLATES = Path("/srv/app/templates")
