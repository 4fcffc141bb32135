from flask import Flask

app = Flask(__name__)
# ruleid: python-flask-debug
app.run(host="0.0.0.0", debug=True)
# ok: python-flask-debug
app.run(host="127.0.0.1")
