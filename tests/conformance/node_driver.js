// Evaluates expressions, one in a line; each calls `done`, whose arguments are answered as one line of JSON.
const readline = require('readline');
const [modules, address, key] = process.argv.slice(2);
const client = require(modules + '/algorithmia').client(key, address);

let open = false;
function answer(document) {
  if (!open) return;
  open = false;
  process.stdout.write(JSON.stringify(document) + '\n');
}
const failed = (error) => answer({error: error.name || 'thrown', message: String(error.message || error)});
process.on('uncaughtException', failed);

readline.createInterface({input: process.stdin}).on('line', (line) => {
  open = true;
  const done = (...values) => answer({value: values});
  try {
    new Function('client', 'done', JSON.parse(line))(client, done);
  } catch (error) {
    failed(error);
  }
});
