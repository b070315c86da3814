#!/usr/bin/env python3
"""The house rules as a test: house.py [ROOT] prints every break of a rule as file:line: what, and exits 1.

A rule is a function from a tree (a dict of path to text) to lines of complaint, so that the samples at the
end can show, on every run, that each rule does fail where it should.
"""
import os
import re
import subprocess
import sys
import unittest

FILE_LINES = 600
FUNCTION_LINES = 70
COMPLAINTS = 25      # of other systems' hosts, each with a test
BAD_INPUTS = (*range(1, 23), *range(30, 35), 36, 37)  # of the catalogue, each with an input, an answer and a test
COLUMNS = 110        # of C, as clang-format wraps it
SCRIPT_COLUMNS = 150

# Functions that may be longer than FUNCTION_LINES: "file:function" and why.
LONG_FUNCTIONS = {}

# What each folder may include of ours, besides itself. The order of the house: tui -> core -> audio.
LAYERS = {
    'audio': (),
    'core/base': (),
    'core/room': ('core/base',),
    'core/wire': ('core/base', 'core/room'),
    'core/media': ('core/base', 'core/wire'),
    'core/store': ('core/base',),
    'core/auth': ('core/base', 'core/wire'),
    'core/access': ('core/base', 'core/wire', 'core/auth', 'core/store'),
    'core/server': ('core/base', 'core/room', 'core/wire', 'core/media', 'core/auth', 'core/store', 'core/access', 'audio'),
    'core/ctl': ('core/base', 'core/room', 'core/wire', 'core/auth', 'core/store', 'core/access'),
    'core/session': ('core/base', 'core/room', 'core/wire', 'core/media', 'audio'),
    'tui': ('core/base', 'core/room', 'core/wire', 'core/session', 'audio'),
}
EMBEDS_SERVER = re.compile(r'tui/(host|demo|main_\w+)\.c$')  # `gavel host` is the server in one process
NO_CURSES = re.compile(r'tui/(view_\w+\.c|screen\.c|canvas\.c|model\.c|\w+\.h)$')

# (calls, the files they are for) in the product; and those that are wrong anywhere, tests included.
NEVER = 'strcpy strcat stpcpy sprintf vsprintf gets atoi atol atoll atof strtok rand srand random srandom ' \
        'alloca tmpnam mktemp'.split()
ONLY_IN = (
    ('time localtime gmtime ctime asctime gettimeofday system popen'.split(), r'$.'),
    ('usleep sleep nanosleep clock_nanosleep'.split(), r'(core/server/shell_media|core/session/audio_thread)\.c$'),
    (['clock_gettime'], r'core/base/clock\.c$|audio/device\w*\.c$'),
    ('getenv secure_getenv'.split(), r'tui/|core/ctl/|core/store/files\.c$|audio/device\w*\.c$|core/\w+/main_\w+\.c$'),
)
NO_SLEEP_IN_TESTS = re.compile(r'tests/(unit|sim|golden|fuzz)/')
CALLBACK_FILE = 'audio/device_portaudio.c'
CALLBACK_MARK = 'PaStreamCallbackFlags'
IN_CALLBACK = re.compile(r'\b(\w*alloc|free|\w*lock|\w*printf|log_\w+|puts|sem_wait|\w*cond_wait)\s*\(')

PRODUCT = re.compile(r'(audio|core|tui)/.*\.[ch]$')
C_FILE = re.compile(r'(audio|core|tui|tests)/.*\.[ch]$')
LEFTOVER = re.compile(r'\b(?:TO' r'DO|FIX' r'ME|XX' r'X)\b')
MACHINE_PATH = re.compile(r'(?<![\w./-])/(?:work|root|Users|home/(?!you\b)\w+)/')
SKIPPED_FOLDERS = {'build', '.git', '__pycache__', 'corpus'}
TEXT_FILE = re.compile(r'\.(c|h|def|py|sh|md|txt|theme|json|ya?ml|ini|conf|service|html|js|css|in)$|(^|/)[\w-]+$')

TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
INCLUDE = re.compile(r'^#\s*include\s+["<]([^">]+)[">]', re.M)


def load(root):
    tree = {}
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if f not in SKIPPED_FOLDERS)
        for name in sorted(names):
            path = os.path.relpath(os.path.join(folder, name), root)
            if TEXT_FILE.search(path):
                with open(os.path.join(root, path), 'rb') as f:
                    tree[path] = f.read().decode('utf-8', 'replace')
    return tree


def code_of(text, _kept={}):
    """The text with comments and the insides of literals blanked, every line where it was."""
    if text not in _kept:
        _kept[text] = TOKEN.sub(lambda m: re.sub(r'[^\n]', ' ', m.group()), text)
    return _kept[text]


def line_of(text, offset):
    return text.count('\n', 0, offset) + 1


def functions(text):
    """(name, first line, last line) of each function of clang-formatted C: it starts and ends in column 0."""
    start, head, name = None, '', None
    for n, line in enumerate(code_of(text).split('\n'), 1):
        if name:
            if line.startswith('}'):
                yield name, start, n
                start, name = None, None
            continue
        if re.match(r'[A-Za-z_]', line):
            start, head = n, ''
        if start is None:
            continue
        head += line.rstrip() + ' '
        if '{' in line or line.rstrip().endswith(';'):
            called = re.match(r'[^(={]*?(\w+)\s*\([^={]*\) \{ $', head)
            name = called and called.group(1)
            start = start if name else None


def calls(path, text, names):
    pattern = r'(?<![\w.])(?<!->)(%s)\s*\(' % '|'.join(names)
    code = code_of(text)
    return ['%s:%d: calls %s()' % (path, line_of(code, m.start()), m.group(1)) for m in re.finditer(pattern, code)]


# ------------------------------------------------------------------------------------------- the rules


def layer_of(path):
    return next((layer for layer in LAYERS if path.startswith(layer + '/')), None)


def may_include(path, target):
    layer, other = layer_of(path), layer_of(target)
    if layer is None or other is None:
        return False  # a folder that LAYERS does not know
    if target.endswith('_private.h') and os.path.dirname(path) != os.path.dirname(target):
        return False
    return other == layer or other in LAYERS[layer] or (other == 'core/server' and bool(EMBEDS_SERVER.match(path)))


def rule_layers(tree):
    for path, text in tree.items():
        if not C_FILE.match(path):
            continue
        for m in INCLUDE.finditer(text):
            target = m.group(1)
            ours = target.startswith(('audio/', 'core/', 'tui/', 'tests/'))
            if PRODUCT.match(path) and ours and not may_include(path, target):
                yield '%s:%d: may not include %s' % (path, line_of(text, m.start()), target)
            if NO_CURSES.match(path) and 'curses' in target:
                yield '%s:%d: a view may not include %s' % (path, line_of(text, m.start()), target)


def rule_sizes(tree):
    unused = dict(LONG_FUNCTIONS)
    for path, text in tree.items():
        if not C_FILE.match(path) and not path.endswith(('.py', '.sh')):
            continue
        lines = text.split('\n')
        if len(lines) - 1 > FILE_LINES:
            yield '%s:1: %d lines, at most %d' % (path, len(lines) - 1, FILE_LINES)
        for n, line in enumerate(lines, 1):
            most = COLUMNS if C_FILE.match(path) else SCRIPT_COLUMNS
            if len(line) > most:
                yield '%s:%d: %d columns, at most %d' % (path, n, len(line), most)
        if not path.endswith('.c'):
            continue
        for name, first, last in functions(text):
            if last - first + 1 <= FUNCTION_LINES:
                continue
            if unused.pop(path + ':' + name, None) is None:
                yield '%s:%d: %s() has %d lines, at most %d' % (path, first, name, last - first + 1, FUNCTION_LINES)
    for name in unused:
        if name.split(':')[0] in tree:
            yield '%s: is not that long any more: take it out of LONG_FUNCTIONS' % name


def rule_calls(tree):
    for path, text in tree.items():
        if not C_FILE.match(path):
            continue
        yield from calls(path, text, NEVER)
        if PRODUCT.match(path):
            for names, where in ONLY_IN:
                if not re.match(where, path):
                    yield from calls(path, text, names)
        elif NO_SLEEP_IN_TESTS.match(path):
            yield from calls(path, text, ONLY_IN[1][0])


def rule_callback(tree):
    text = tree.get(CALLBACK_FILE)
    if text is None:
        return
    lines = code_of(text).split('\n')
    seen = 0
    for name, first, last in functions(text):
        body = '\n'.join(lines[first - 1:last])
        if CALLBACK_MARK not in body:
            continue
        seen += 1
        for m in IN_CALLBACK.finditer(body):
            yield '%s:%d: %s() of the sound card calls %s()' % (
                CALLBACK_FILE, first + line_of(body, m.start()) - 1, name, m.group(1))
    if seen < 2:
        yield CALLBACK_FILE + ':1: the callbacks are not found any more: mend this rule'


def rule_comments(tree):
    """A prototype needs a comment above it, or above the group (no blank line within) that it stands in."""
    for path, text in tree.items():
        if not PRODUCT.match(path) or not path.endswith('.h') or path.endswith('_private.h'):
            continue
        commented, depth, start, statement = False, 0, 0, ''
        for n, (line, code) in enumerate(zip(text.split('\n'), code_of(re.sub(r'\\\n', '\n#', text)).split('\n')), 1):
            if not line.strip():
                commented, start = False, 0
            if code.startswith('#'):
                continue
            commented = commented or (depth == 0 and '/*' in line)
            if depth == 0 and not start and re.match(r'[A-Za-z_]', code):
                start, statement = n, ''
            depth += code.count('{') - code.count('}')
            statement += code
            if start and depth == 0 and code.rstrip().endswith((';', '}')):
                called = re.match(r'(?!typedef\b)[\w\s*]*?(\w+)\s*\(', statement)
                if called and not commented:
                    yield '%s:%d: %s() has no comment' % (path, start, called.group(1))
                start = 0


def rule_tables(tree):
    errors = tree.get('core/base/err.h', '')
    words = set()
    for path, text in tree.items():
        if PRODUCT.match(path) and path not in ('core/base/err.h', 'core/base/err.c'):
            words.update(re.findall(r'\bERR_\w+', code_of(text)))
    for m in re.finditer(r'^  X\((\w+), "', errors, re.M):
        if m.group(1) != 'OK' and 'ERR_' + m.group(1) not in words:
            yield 'core/base/err.h:%d: nothing uses ERR_%s' % (line_of(errors, m.start()), m.group(1))
    acts, page = tree.get('core/room/acts.def', ''), tree.get('docs/protocol-room.md', '')
    for m in re.finditer(r'^ACT\(\w+, "(\w+)"', acts, re.M):
        if not re.search(r'\b%s\b' % m.group(1), page):
            yield 'core/room/acts.def:%d: docs/protocol-room.md lacks %s' % (line_of(acts, m.start()), m.group(1))


def rule_complaints(tree):
    page, tests = tree.get('docs/complaints.md', ''), set()
    for path, text in tree.items():
        if path.startswith('tests/unit/') and path.endswith('.c'):
            tests.update(re.findall(r'cmocka_unit_test\((complaint_\w+)\)', text))
    for number in range(1, COMPLAINTS + 1):
        row = re.search(r'^\| %d \|.*' % number, page, re.M)
        for name in re.findall(r'`(complaint_\w+)`', row.group()) if row else ():
            if name not in tests or not name.startswith('complaint_%02d_' % number):
                yield 'docs/complaints.md:%d: %s is no test of complaint %d' % (line_of(page, row.start()), name, number)
        if page and not (row and '`complaint_' in row.group()):
            yield 'docs/complaints.md:1: complaint %d has no test' % number
    for name in sorted(tests):
        if '`%s`' % name not in page:
            yield 'docs/complaints.md:1: %s is not listed' % name


def named_tests(tree):
    """The functions bad_NN_* that are run."""
    for path, text in tree.items():
        if re.match(r'tests/unit/.*/test_bad_\w+\.c$', path):
            yield from re.findall(r'cmocka_unit_test\w*\((bad_\w+)', text)
        elif re.match(r'tests/e2e/test_bad_\w+\.py$', path):
            yield from (n for n in re.findall(r'^def (bad_\w+)\(', text, re.M) if len(re.findall(r'\b%s\b' % n, text)) > 1)


def is_test(tree, name, number, tests):
    path, _, function = name.partition(':')
    if not name.startswith('tests/'):
        return name in tests and name.startswith('bad_%02d_' % number)
    return path in tree and (not function or bool(re.search(r'^(async )?(def|static void) %s\(' % function, tree[path], re.M)))


def rule_bad_input(tree):
    page, tests = tree.get('docs/bad-input.md', ''), set(named_tests(tree))
    for number in BAD_INPUTS if page else ():
        row = re.search(r'^\| %d \|([^|]+)\|([^|]+)\|([^|]+)\|$' % number, page, re.M)
        names = re.findall(r'`((?:tests/|bad_)[^`]+)`', row.group(3)) if row else ()
        if not names or not (row.group(1).strip() and row.group(2).strip()):
            yield 'docs/bad-input.md:1: number %d lacks an input, an answer or a test' % number
        for name in names:
            if not is_test(tree, name, number, tests):
                yield 'docs/bad-input.md:%d: %s is no test of number %d' % (line_of(page, row.start()), name, number)
    for name in sorted(tests):
        if '`%s`' % name not in page:
            yield 'docs/bad-input.md:1: %s is not listed' % name


def rule_leftovers(tree):
    for path, text in tree.items():
        for what, pattern in (('left to do', LEFTOVER), ("a machine's path", MACHINE_PATH)):
            for m in pattern.finditer(text):
                yield '%s:%d: %s: %s' % (path, line_of(text, m.start()), what, m.group())


def is_shell(path, text):
    return path.endswith('.sh') or bool(re.match(r'#!\s*/bin/(ba|da)?sh\b', text))


def rule_shell(tree):
    for path, text in tree.items():
        if is_shell(path, text):
            shell = 'bash' if re.match(r'#!.*bash', text) else 'sh'
            done = subprocess.run([shell, '-n'], input=text.encode(), capture_output=True, check=False)
            if done.returncode:
                yield '%s:1: %s' % (path, done.stderr.decode().strip())


RULES = (rule_layers, rule_sizes, rule_calls, rule_callback, rule_comments, rule_tables, rule_complaints,
         rule_bad_input, rule_leftovers, rule_shell)


# ------------------------------------------------------------- samples: every rule can fail, and can pass


def body(lines, head='static int f(void) {'):
    return head + '\n' + '  x();\n' * lines + '}\n'


CARD = 'int %s(void *c, PaStreamCallbackFlags f) {\n  %s\n}\n'


class Samples(unittest.TestCase):
    def bad(self, rule, path, text, word, **others):
        found = list(rule({path: text, **others}))
        self.assertTrue(any(word in line for line in found), '%s on %r said %r' % (rule.__name__, text[:80], found))

    def good(self, rule, path, text):
        self.assertEqual(list(rule({path: text})), [])

    def test_layers(self):
        for path, target in (('audio/a.c', 'core/base/err.h'), ('core/base/a.c', 'core/room/room.h'),
                             ('core/room/a.c', 'core/wire/json.h'), ('core/wire/a.c', 'core/media/srtp.h'),
                             ('core/media/a.c', 'audio/ring.h'), ('core/store/a.c', 'core/wire/json.h'),
                             ('core/server/a.c', 'core/session/client.h'),
                             ('core/session/a.c', 'core/server/server.h'),
                             ('tui/a.c', 'core/store/store.h'), ('tui/a.c', 'core/media/dtls.h'),
                             ('tui/line.c', 'core/server/server.h'), ('tui/host.c', 'core/store/store.h'),
                             ('core/server/a.c', 'tui/model.h'), ('core/wire/a.c', 'core/room/room_private.h'),
                             ('tui/a.c', 'tests/kit.h'), ('core/wire/a.c', 'core/new/a.h')):
            self.bad(rule_layers, path, '#include "%s"\n' % target, target)
        for path in ('tui/view_room.c', 'tui/screen.c', 'tui/canvas.c', 'tui/model.c', 'tui/model.h'):
            self.bad(rule_layers, path, '#include <ncursesw/curses.h>\n', 'curses')
        for path, target in (('audio/a.c', 'audio/ring.h'), ('audio/a.c', 'portaudio.h'),
                             ('tui/host.c', 'core/server/server.h'), ('core/room/a.c', 'core/room/room_private.h'),
                             ('tui/term_curses.c', 'ncursesw/curses.h')):
            self.good(rule_layers, path, '#include "%s"\n' % target)

    def test_sizes(self):
        self.bad(rule_sizes, 'tui/a.c', '\n' * 601, '601 lines')
        self.bad(rule_sizes, 'tui/a.c', '/* %s */\n' % ('x' * 120), 'columns')
        self.bad(rule_sizes, 'tui/a.c', 'int a;\n' + body(69) + body(2), 'f() has 71 lines')
        self.bad(rule_sizes, 'tui/a.c', body(70, 'struct a *f(int a,\n    int b) {'), 'f() has 73')
        self.bad(rule_sizes, 'tui/a.c', 'static const int t[] = {1,\n  2};\n' + body(69), 'f() has 71 lines')
        self.good(rule_sizes, 'tui/a.c', body(68) + 'static const int t[] = {\n' + '  1,\n' * 90 + '  1};\n' + body(68))

    def test_calls(self):
        for name in NEVER:
            self.bad(rule_calls, 'tests/unit/a.c', body(0, 'int g(int a) {\n  return %s(a);' % name), name)
        for name in 'time localtime gmtime system popen sleep usleep nanosleep clock_gettime getenv'.split():
            self.bad(rule_calls, 'core/room/a.c', '  a = %s (b);\n' % name, name)
        self.bad(rule_calls, 'tests/sim/a.c', '  usleep(1);\n', 'usleep')
        self.good(rule_calls, 'core/base/clock.c', '  clock_gettime(a); s->time(b); /* sleep(1) */ f("gets(");\n')
        self.good(rule_calls, 'tui/a.c', '  getenv(a); act_time(b); operand(c);\n')

    def test_callback(self):
        for call in ('malloc(1);', 'free(c);', 'pthread_mutex_lock(c);', 'printf("");', 'log_line(c);'):
            self.bad(rule_callback, CALLBACK_FILE, CARD % ('a', call) + CARD % ('b', ''), 'a() of the sound card')
        self.bad(rule_callback, CALLBACK_FILE, CARD % ('a', ''), 'not found')
        self.good(rule_callback, CALLBACK_FILE, CARD % ('a', 'ring_read(c);') + CARD % ('b', '/* free(c) */'))

    def test_comments(self):
        self.bad(rule_comments, 'core/a.h', '/* of the file */\n\nint f(void);\n', 'f() has no comment')
        self.bad(rule_comments, 'core/a.h', '/* c */\nint e(void);\n\nMUST_CHECK enum err *f(int a,\n  int b);', 'f()')
        self.bad(rule_comments, 'core/a.h', '#define X(a) \\\n  a(b)\nint f(void);\n', 'f()')
        self.bad(rule_comments, 'core/a.h', 'struct s {\n  int a; /* c */\n};\nint f(void);\n', 'f()')
        self.good(rule_comments, 'core/a.h', '/* c */\nint e(void);\nint f(void);\n\nstruct s {\n  int (*f)(void);\n};')
        self.good(rule_comments, 'core/a_private.h', 'int f(void);\n')

    def test_tables(self):
        self.bad(rule_tables, 'core/base/err.h', '  X(OK, "ok", "")\n  X(AB, "a", "")\n', ':2: nothing uses ERR_AB')
        self.bad(rule_tables, 'core/base/err.h', '  X(AB, "a", "")\n', 'ERR_AB', **{'core/base/err.c': 'ERR_AB'})
        self.bad(rule_tables, 'core/base/err.h', '  X(AB, "a", "")\n', 'ERR_AB', **{'tui/a.c': 'ERR_AB_C /* ERR_AB */'})
        self.bad(rule_tables, 'core/room/acts.def', 'ACT(A, "end", B)\n', 'end', **{'docs/protocol-room.md': 'ended'})
        self.assertEqual(list(rule_tables({'core/base/err.h': '  X(AB, "a", "")\n', 'tui/a.c': 'x(ERR_AB);'})), [])

    def test_complaints(self):
        rows = ''.join('| %d | x | `complaint_%02d_a` |\n' % (i, i) for i in range(1, COMPLAINTS + 1))
        code = ''.join('cmocka_unit_test(complaint_%02d_a),' % i for i in range(1, COMPLAINTS + 1))
        path, test = 'docs/complaints.md', {'tests/unit/a/test_a.c': code}
        self.assertEqual(list(rule_complaints({path: rows, **test})), [])
        self.bad(rule_complaints, path, rows.replace('`complaint_07_a`', 'none'), 'complaint 7 has no test', **test)
        self.bad(rule_complaints, path, rows.replace('| 9 |', '| 99 |'), 'complaint 9 has no test', **test)
        self.bad(rule_complaints, path, rows.replace('04_a', '04_b'), 'complaint_04_b is no test', **test)
        self.bad(rule_complaints, path, rows.replace('04_a', '05_a'), 'is no test of complaint 4', **test)
        self.bad(rule_complaints, 'tests/unit/a/test_a.c', code + 'cmocka_unit_test(complaint_01_b)', '01_b is not listed',
                 **{path: rows})

    def test_bad_input(self):
        rows = ''.join('| %d | x | y | `bad_%02d_a`, `tests/e2e/test_x.py:f` |\n' % (i, i) for i in BAD_INPUTS)
        code = ''.join('cmocka_unit_test_setup(bad_%02d_a),' % i for i in BAD_INPUTS[1:]) + 'static void f() {}'
        path = 'docs/bad-input.md'
        tests = {'tests/unit/a/test_bad_a.c': code, 'tests/e2e/test_bad_b.py': 'def bad_01_a(x):\n\nbad_01_a(1)\n',
                 'tests/e2e/test_x.py': 'def f(x):\n'}
        self.assertEqual(list(rule_bad_input({path: rows, **tests})), [])
        for old, new, word in (('| 9 |', '| 99 |', 'number 9 lacks'), ('| 7 | x |', '| 7 | |', 'number 7 lacks'),
                               ('04_a', '04_b', '04_b is no test'), ('06_a', '05_a', '05_a is no test of number 6'),
                               ('x.py:f', 'x.py:g', 'g is no test'), ('test_x', 'test_y', 'is no test')):
            self.bad(rule_bad_input, path, rows.replace(old, new), word, **tests)
        self.bad(rule_bad_input, path, rows, 'bad_01_a is no test', **{**tests, 'tests/e2e/test_bad_b.py': 'def bad_01_a(x):\n'})
        self.bad(rule_bad_input, 'tests/unit/a/test_bad_c.c', 'cmocka_unit_test(bad_01_b)', '01_b is not listed', **{path: rows, **tests})

    def test_leftovers(self):
        for text in ('/* TO' 'DO: x */', '# FIX' 'ME', '"/ro' 'ot/a"', 'cd /wo' 'rk/a', 'in /ho' 'me/ann/b'):
            self.bad(rule_leftovers, 'docs/a.md', text, text[-2:] if '/' not in text else '/')
        self.good(rule_leftovers, 'docs/a.md', '/usr/bin/x /home/you/y net/work/z mktemp XXXXXX')

    def test_shell(self):
        self.bad(rule_shell, 'run', '#!/bin/sh\nif true; then\n', 'run:1')
        self.good(rule_shell, 'run', '#!/bin/sh\nif true; then exit 1; fi\n')


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
    samples = unittest.TextTestRunner(verbosity=0).run(unittest.defaultTestLoader.loadTestsFromTestCase(Samples))
    tree = load(root)
    if sum(bool(PRODUCT.match(path)) for path in tree) < 100:
        sys.exit('%s: that is not the source tree' % root)
    found = [line for rule in RULES for line in rule(tree)]
    print('\n'.join(found))
    print('%d breaks of the house rules in %d files' % (len(found), len(tree)))
    return 1 if found or not samples.wasSuccessful() else 0


if __name__ == '__main__':
    sys.exit(main())
