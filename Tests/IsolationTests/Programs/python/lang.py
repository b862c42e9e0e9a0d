# env: LANG=C LC_ALL=C
import locale, sys; print(locale.setlocale(locale.LC_ALL, ""), sys.stdout.encoding)
