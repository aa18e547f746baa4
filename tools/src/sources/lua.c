/* Runs a script that leaves no part of the interpreter out which needs no operating system. */
#include "lauxlib.h"
#include "lua.h"
#include "lualib.h"
#include <stdio.h>

static const char script[] =
    "local function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end\n"
    "print(fib(20), 7 // 2, -7 // 2, 7 % -3, 2 ^ 0.5, 10 / 4, 3 | 12, ~0, 1 << 40)\n"
    "local words = {}\n"
    "for word in ('the quick brown fox jumps over the lazy dog'):gmatch('%a+') do words[#words + 1] = word end\n"
    "table.sort(words, function(a, b) return #a < #b or #a == #b and a < b end)\n"
    "print(table.concat(words, ' '))\n"
    "local set = setmetatable({}, { __index = function(_, key) return key .. '!' end, __len = function() return 42 end,\n"
    "  __call = function(self, ...) return select('#', ...) end, __close = function() print('closed') end })\n"
    "print(set.missing, #set, set(1, nil, 3))\n"
    "do local it <close> = set end\n"
    "local co = coroutine.wrap(function(...) local sum = 0 for i, v in ipairs({...}) do sum = sum + coroutine.yield(i * v) end error({ code = sum }) end)\n"
    "print(co(5, 6, 7), co(10), co(20))\n"
    "local fine, why = pcall(co, 30)\n"
    "print(fine, type(why), why.code)\n"
    "print(pcall(error, 'plain', 0))\n"
    "print(select(2, pcall(function() return nil + 1 end)))\n"
    "print(string.format('%5.2f|%-8s|%08x|%q|%g', 3.14159, 'left', 48879, 'a\\nb\\0c', 1e300))\n"
    "print(('%d items'):rep(3, ', '):gsub('%%d', { ['%d'] = 'n' }))\n"
    "print(string.pack('<i4>d', -2, 1.5):byte(1, -1))\n"
    "print(utf8.char(228, 8364, 128512), utf8.len('\\u{e4}\\u{20ac}'), math.type(3.0), math.tointeger(2^53))\n"
    "goto over\n"
    "print('never')\n"
    "::over::\n"
    "local big = {} for i = 1, 20000 do big[i] = { i, tostring(i) } end\n"
    "big = nil collectgarbage() print(collectgarbage('count') < 2000)\n"
    "local chunk = load(string.dump(function(a) return a * 2, _VERSION end))\n"
    "print(chunk(21))\n";

int main(void) {
  lua_State *state = luaL_newstate();
  luaL_openlibs(state);
  int failed = luaL_dostring(state, script);
  if (failed)
    printf("%s\n", lua_tostring(state, -1));
  lua_close(state);
  return failed;
}
