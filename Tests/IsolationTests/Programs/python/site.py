import sys, site; print(site.ENABLE_USER_SITE, site.getsitepackages(), site.getuserbase())
