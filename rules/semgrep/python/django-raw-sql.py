from django.db.models.expressions import RawSQL

from shop.models import Person


def find(name):
    # ruleid: python-django-raw-sql
    Person.objects.raw(f"SELECT * FROM person WHERE name = '{name}'")
    # ruleid: python-django-raw-sql
    Person.objects.extra(where=["name = '%s'" % name])
    # ruleid: python-django-raw-sql
    Person.objects.annotate(n=RawSQL("SELECT 1 FROM x WHERE y = " + name, ()))
    # ok: python-django-raw-sql
    Person.objects.raw("SELECT * FROM person WHERE name = %s", [name])
    # ok: python-django-raw-sql
    Person.objects.extra(where=["name = %s"], params=[name])
    # ok: python-django-raw-sql
    return Person.objects.filter(name=name)
