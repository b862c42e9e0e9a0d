import logging; logging.warning("careful"); logging.info("hidden"); logging.basicConfig(level=logging.INFO, force=True, format="%(name)s %(message)s"); logging.info("shown")
