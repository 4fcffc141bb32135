FROM debian:12.5
# ruleid: dockerfile-apt-update-alone
RUN apt-get update
RUN apt-get install -y git
# ruleid: dockerfile-apt-update-alone
RUN apt-get -qq update && apt-get -y upgrade
RUN apt-get install -y make
# ok: dockerfile-apt-update-alone
RUN apt-get update && apt-get install -y curl
# ok: dockerfile-apt-update-alone
RUN apt-get update \
    && apt-get install -y --no-install-recommends jq
