from django.http import HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from flask import redirect, request, url_for


def back():
    # ruleid: python-open-redirect
    return redirect(request.args.get("next"))


def django_back(request):
    # ruleid: python-open-redirect
    return HttpResponseRedirect(request.GET["next"])


def checked(request):
    target = request.GET["next"]
    if not url_has_allowed_host_and_scheme(target, allowed_hosts=None):
        target = "/"
    # ok: python-open-redirect
    return HttpResponseRedirect(target)


def fine():
    if request.args.get("page"):
        # ok: python-open-redirect
        return redirect(url_for("page", number=request.args["page"]))
    # ok: python-open-redirect
    return redirect(f"/pages/{request.args['name']}")
