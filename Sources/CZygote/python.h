// What is needed of CPython's stable ABI (PEP 384), declared here so that the library is made without Python's headers.
#pragma once

#include <stddef.h>

typedef struct PyObject PyObject;

struct PyMethodDef {
    const char *name;
    PyObject *(*method)(PyObject *self, PyObject *arguments);
    int flags;
    const char *documentation;
};

struct PyModuleDef {
    ptrdiff_t reference_count;
    void *type;
    PyObject *(*initialise)(void);
    ptrdiff_t index;
    PyObject *copy;
    const char *name;
    const char *documentation;
    ptrdiff_t size;
    struct PyMethodDef *methods;
    void *slots, *traverse, *clear, *free;
};

enum { METH_NOARGS = 4 };

extern PyObject *PyModuleDef_Init(struct PyModuleDef *definition);
extern PyObject *PyLong_FromLong(long value);
// What os.fork() calls around its fork(2).
extern void PyOS_BeforeFork(void);
extern void PyOS_AfterFork_Parent(void);
extern void PyOS_AfterFork_Child(void);
