/* Asks the engine of the search page, without a browser: questions come as JSON, and the sections found go out. */
const fs = require("fs");
const vm = require("vm");
const [, , miniSearch, languageData, glue] = process.argv;
const { engine } = require(glue);
const Stemmer = vm.runInNewContext(fs.readFileSync(languageData, "utf8") + "; Stemmer");
const { book, questions } = JSON.parse(fs.readFileSync(0, "utf8"));
const search = engine(book, require(miniSearch), Stemmer);
console.log(JSON.stringify(questions.map((one) => search(one))));
