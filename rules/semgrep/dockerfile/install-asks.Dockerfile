FROM debian:12.5
# ruleid: dockerfile-install-asks
RUN apt-get update && apt-get install git
# ruleid: dockerfile-install-asks
RUN dnf install make
# ok: dockerfile-install-asks
RUN apt-get update && apt-get install -y git
# ok: dockerfile-install-asks
RUN apt-get update && apt-get -qy install jq
# ok: dockerfile-install-asks
RUN apt-get update && apt-get install --no-install-recommends \
    --yes curl
# ok: dockerfile-install-asks
RUN DEBIAN_FRONTEND=noninteractive apt-get update && yes | apt-get install vim
