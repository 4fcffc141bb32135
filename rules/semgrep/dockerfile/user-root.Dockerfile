FROM debian:12.5
# ok: dockerfile-user-root
USER app
# ruleid: dockerfile-user-root
USER root
