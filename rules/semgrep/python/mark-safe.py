from django.utils.html import escape, format_html
from django.utils.safestring import mark_safe
from markupsafe import Markup


def show(name):
    # ruleid: python-mark-safe
    first = mark_safe(f"<b>{name}</b>")
    # ruleid: python-mark-safe
    second = mark_safe("<b>%s</b>" % name)
    # ruleid: python-mark-safe
    third = Markup("<b>" + name + "</b>")
    # ok: python-mark-safe
    fourth = format_html("<b>{}</b>", name)
    # ok: python-mark-safe
    fifth = mark_safe("<b>fixed</b>")
    # ok: python-mark-safe
    sixth = mark_safe(f"<b>{escape(name)}</b>")
    # ok: python-mark-safe
    seventh = Markup("<b>%s</b>") % name
    return first, second, third, fourth, fifth, sixth, seventh
