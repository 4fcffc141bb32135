import ast


def calculate(text, rows):
    # ruleid: python-eval-dynamic
    value = eval(text)
    # ruleid: python-eval-dynamic
    exec(f"x = {text}")
    # ruleid: python-eval-dynamic
    rows = [eval(row["formula"], {}) for row in rows]
    # ok: python-eval-dynamic
    eval("1 + 1")
    code = compile(text, "<string>", "exec")
    # ok: python-eval-dynamic
    exec(code)
    # ok: python-eval-dynamic
    return ast.literal_eval(text), value, rows
