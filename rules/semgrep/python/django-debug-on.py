import os

# ruleid: python-django-debug-on
DEBUG = True
ALLOWED_HOSTS = ["*"]
# ok: python-django-debug-on
DEBUG = os.environ.get("DEBUG") == "1"
# ruleid: python-django-debug-on
DEBUG = True
# ok: python-django-debug-on
TEMPLATE_DEBUG = True
# ok: python-django-debug-on
DEBUG = False
