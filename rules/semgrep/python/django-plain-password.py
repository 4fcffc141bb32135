from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User


def register(name, password, password_hash):
    # ruleid: python-django-plain-password
    User.objects.create(username=name, password=password)
    # ruleid: python-django-plain-password
    User.objects.filter(username=name).update(password=password)
    # ok: python-django-plain-password
    User.objects.create_user(username=name, password=password)
    # ok: python-django-plain-password
    User.objects.create(username=name, password=make_password(password))
    # ok: python-django-plain-password
    User.objects.create(username=name, password=password_hash)
