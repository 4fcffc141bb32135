FROM debian:12.5
# ruleid: dockerfile-expose-ssh
EXPOSE 22
# ruleid: dockerfile-expose-ssh
EXPOSE 8080 22/tcp
# ok: dockerfile-expose-ssh
EXPOSE 2222
# ok: dockerfile-expose-ssh
EXPOSE 8080 8022
