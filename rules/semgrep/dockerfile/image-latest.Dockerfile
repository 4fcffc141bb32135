# ruleid: dockerfile-image-latest
FROM debian:latest AS build
# ruleid: dockerfile-image-latest
FROM node
# ok: dockerfile-image-latest
FROM debian:12.5 AS packed
# ok: dockerfile-image-latest
FROM packed
# ok: dockerfile-image-latest
FROM scratch
# ok: dockerfile-image-latest
FROM $BASE
