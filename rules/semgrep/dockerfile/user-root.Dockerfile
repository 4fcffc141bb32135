FROM debian:12.5 AS build
# ok: dockerfile-user-root
USER root
RUN make

FROM debian:12.5 AS tools
# ok: dockerfile-user-root
USER root
RUN apt-get update && apt-get install -y git
USER app

FROM debian:12.5
# ok: dockerfile-user-root
USER app
# ruleid: dockerfile-user-root
USER root
CMD ["app"]
# ruleid: dockerfile-user-root
USER 0:0
