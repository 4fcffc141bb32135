import ast


def calculate(text):
    # ruleid: python-eval-dynamic
    value = eval(text)
    # ruleid: python-eval-dynamic
    exec(f"x = {text}")
    # ok: python-eval-dynamic
    eval("1 + 1")
    # ok: python-eval-dynamic
    return ast.literal_eval(text), value
