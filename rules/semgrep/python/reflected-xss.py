import html

from django.http import HttpResponse
from flask import Flask, request

app = Flask(__name__)


@app.route("/hello")
def hello():
    # ruleid: python-reflected-xss
    return f"<h1>Hello {request.args['name']}</h1>"


def greet(request):
    # ruleid: python-reflected-xss
    return HttpResponse("<p>" + request.GET["name"] + "</p>")


@app.route("/fine")
def fine():
    # ok: python-reflected-xss
    return f"<h1>Hello {html.escape(request.args['name'])}</h1>"


@app.route("/page")
def page():
    # ok: python-reflected-xss
    return f"<h1>Page {int(request.args['page'])}</h1>"


@app.route("/echo")
def echo():
    # ok: python-reflected-xss
    return {"name": request.args["name"]}
