from django.contrib.auth.decorators import login_required
from django.views.decorators.csrf import csrf_exempt


# ruleid: python-csrf-exempt-session
@csrf_exempt
@login_required
def transfer(request):
    return pay(request)


# ruleid: python-csrf-exempt-session
@login_required
@csrf_exempt
def remove(request):
    return delete(request)


# The sender of the hook proves itself by a signature.
# ok: python-csrf-exempt-session
@csrf_exempt
def hook(request):
    return accept(request)


# ok: python-csrf-exempt-session
@login_required
def show(request):
    return render(request)
