import jinja2
from flask import render_template_string, request


def greet(name):
    # ruleid: python-template-injection
    first = render_template_string(f"<p>Hello {name}</p>")
    # ok: python-template-injection
    return render_template_string("<p>Hello {{ name }}</p>", name=name) + first


def show():
    source = request.form["template"]
    # ruleid: python-template-injection
    return jinja2.Template(source).render()


def fine(path):
    # ok: python-template-injection
    first = jinja2.Template(path.read_text()).render(path=f"{path}")
    # ok: python-template-injection
    return render_template_string("<p>{{ path }}</p>", path=f"at {path}") + first
