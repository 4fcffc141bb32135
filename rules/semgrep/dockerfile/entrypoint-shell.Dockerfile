FROM debian:12.5 AS one
# ruleid: dockerfile-entrypoint-shell
ENTRYPOINT node server.js

FROM debian:12.5 AS two
# ruleid: dockerfile-entrypoint-shell
ENTRYPOINT /srv/app/start.sh --port $PORT

FROM debian:12.5 AS three
# ok: dockerfile-entrypoint-shell
ENTRYPOINT ["node", "server.js"]

FROM debian:12.5
# ok: dockerfile-entrypoint-shell
ENTRYPOINT exec node server.js
