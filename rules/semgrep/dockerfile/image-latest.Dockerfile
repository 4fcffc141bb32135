# ruleid: dockerfile-image-latest
FROM debian:latest
# ok: dockerfile-image-latest
FROM debian:12.5
