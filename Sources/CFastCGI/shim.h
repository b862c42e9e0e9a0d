// The multi-threaded interface of libfcgi; every call that is used is a plain function.
#include <fcgiapp.h>
