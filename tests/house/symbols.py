#!/usr/bin/env python3
"""symbols.py NM LIBRARY...: no symbol is defined in two of the libraries, nor twice in one; exits 1 otherwise."""
import collections
import os
import subprocess
import sys


def defined(nm, library):
    lines = subprocess.run([nm, '-g', '--defined-only', '-P', library], check=True, capture_output=True, text=True).stdout
    # "name T value size"; sanitizers and compilers own the names with two underscores, weak ones may be twice
    return [w[0] for w in map(str.split, lines.splitlines()) if len(w) > 2 and w[1] not in 'VWvw' and not w[0].startswith('__')]


def clashes(found):
    places = collections.defaultdict(list)
    for library, names in found.items():
        for name in names:
            places[name].append(library)
    return sorted('%s is defined in %s' % (name, ' and '.join(where)) for name, where in places.items() if len(where) > 1)


def main():
    assert clashes({'a': ['f', 'g'], 'b': ['g']}) == ['g is defined in a and b'] and clashes({'a': ['f', 'f']})
    found = {os.path.basename(path): defined(sys.argv[1], path) for path in sys.argv[2:]}
    if min(map(len, found.values())) < 10:
        sys.exit('a library with next to no symbols: is that %s?' % sys.argv[1])
    bad = clashes(found)
    print('\n'.join(bad))
    print('%d symbols twice, of %d' % (len(bad), sum(map(len, found.values()))))
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
