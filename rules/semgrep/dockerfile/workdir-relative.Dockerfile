FROM debian:12.5
# ruleid: dockerfile-workdir-relative
WORKDIR app
# ruleid: dockerfile-workdir-relative
WORKDIR ./src
# ok: dockerfile-workdir-relative
WORKDIR /srv/app
# ok: dockerfile-workdir-relative
WORKDIR $APP_HOME
# ok: dockerfile-workdir-relative
WORKDIR "/srv/app"
