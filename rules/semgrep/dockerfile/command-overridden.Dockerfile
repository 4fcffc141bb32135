FROM debian:12.5 AS one
# ruleid: dockerfile-command-overridden
CMD ["prepare"]
CMD ["serve"]

FROM debian:12.5 AS two
# ruleid: dockerfile-command-overridden
ENTRYPOINT ["prepare"]
EXPOSE 8080
ENTRYPOINT ["serve"]

FROM debian:12.5 AS three
# ok: dockerfile-command-overridden
CMD ["prepare"]

FROM debian:12.5
# ok: dockerfile-command-overridden
HEALTHCHECK CMD curl -f http://localhost:8080/
# ok: dockerfile-command-overridden
CMD ["serve"]
