from flask import render_template_string


def greet(name):
    # ruleid: python-template-injection
    first = render_template_string(f"<p>Hello {name}</p>")
    # ok: python-template-injection
    return render_template_string("<p>Hello {{ name }}</p>", name=name) + first
