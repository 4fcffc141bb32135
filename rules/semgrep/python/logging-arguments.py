import logging

log = logging.getLogger(__name__)


def run(name, error):
    # ruleid: python-logging-arguments
    log.info("started", name)
    # ruleid: python-logging-arguments
    logging.error("failed:", error)
    # ok: python-logging-arguments
    log.info("started %s", name)
    # ok: python-logging-arguments
    log.info("started", extra={"name": name})
    # ok: python-logging-arguments
    log.error("failed", exc_info=error)
    # ok: python-logging-arguments
    log.info("done")
