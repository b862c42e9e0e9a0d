// libpq, whole.
#pragma once

#include <libpq-fe.h>
