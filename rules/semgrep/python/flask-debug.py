import os

from flask import Flask
from werkzeug.serving import run_simple

app = Flask(__name__)
# ruleid: python-flask-debug
app.run(host="0.0.0.0", debug=True)
# ruleid: python-flask-debug
app.debug = True
# ruleid: python-flask-debug
run_simple("localhost", 5000, app, use_debugger=True)
# ok: python-flask-debug
app.run(host="127.0.0.1")
# ok: python-flask-debug
app.run(debug=bool(os.environ.get("DEBUG")))
# ok: python-flask-debug
runner.run(debug=True)
