const hello = require("@monorepo/shared");

console.log(hello("world"));
