"""The catalogue of error codes: one title and one explanation each, by area.

C config · D data · T tokens · M model · R run. A code is never reused for another meaning.
"""

from __future__ import annotations

CATALOGUE: dict[str, tuple[str, str]] = {
    # code: (title shown first in the message, explanation for the reference page)
}

TITLES: dict[str, str] = {}


def _declare(code: str, title: str, explanation: str) -> None:
    if code in CATALOGUE:
        raise ValueError(f"error code {code} is declared twice")
    CATALOGUE[code] = (title, explanation)
    TITLES[code] = title


# --- config ---
_declare(
    "C001",
    "not YAML",
    "The recipe cannot be read as YAML. Most often the indentation differs within a group, a tab stands where "
    "spaces should, or a text with `: ` or ` #` in it needs quotes.",
)
_declare(
    "C002",
    "key given twice",
    "A mapping holds the same key twice. Other readers drop one of the two silently; here it is an error.",
)
_declare(
    "C003",
    "YAML that recipes do not use",
    "Recipes are one document of mappings, lists and scalars. Tags, keys that are not texts and further documents "
    "are refused.",
)
_declare(
    "C004",
    "unknown key",
    "No part of a recipe has this name at this place. The message names the nearest key of the whole recipe; "
    "docs/reference/configuration.md lists them all.",
)
_declare(
    "C005",
    "value not allowed",
    "The value has the wrong type or lies outside what the key takes. Texts are never turned into numbers silently; "
    "`no`, `on`, `yes` and `off` are texts, booleans are `true` and `false`.",
)
_declare(
    "C006",
    "values that exclude each other",
    "Each value alone is allowed, but not together. Remove or change one of the keys named.",
)
_declare(
    "C007",
    "no such recipe",
    "`--recipe` and `extends:` take the name of a built-in recipe (see `pretextual recipes`) or the path of a YAML "
    "file.",
)
_declare(
    "C008",
    "not an override",
    "Beside sources, `pretextual pretrain` and its relatives take overrides of the form `a.b=c`, such as "
    "`train.steps=100`: a key of the recipe, `=`, and a value as it would stand in YAML.",
)
_declare(
    "C009",
    "one value under two names",
    "The same value is given under pretextual's own name and under a foreign spelling of it. Keep one.",
)
_declare(
    "C010",
    "recipes that extend each other",
    "Following `extends:` leads back to a recipe that was already read.",
)
_declare(
    "C011",
    "a group needs keys",
    "A group of a recipe, such as `train`, holds further keys; a single value stands where they should.",
)
_declare(
    "C012",
    "a setting that is done another way",
    "The name is known from other training tools, but pretextual does the thing differently; the message says how.",
)
_declare(
    "C013",
    "wrong use of the command",
    "A verb, option or argument of the command line does not exist or is incomplete. `pretextual VERB --help` shows "
    "what there is.",
)
_declare(
    "C014",
    "no text given",
    "The command needs at least one source: a path, a glob, a folder, `-`, or a built-in corpus (`python-docs`, "
    "`capitals`); or a recipe with `corpus.sources`.",
)
_declare(
    "C020",
    "two kinds of text at once",
    "`pretextual peek` shows SOURCEs, which are prepared as a corpus, or loose text (`-` or `--text`). Loose text "
    "takes its tokenizer and statistics from one place, `--store` or `--model`; a corpus has its own.",
)
_declare(
    "C021",
    "no text to show",
    "The loose text is empty or blank, so there is nothing to hide.",
)
_declare(
    "C015",
    "no such code file",
    "`code` and `--code` name Python files. A relative path is looked for beside the recipe that names it and in the "
    "working folder.",
)
_declare(
    "C016",
    "own code fails",
    "A file given with `code` or `--code` raised an error while it was imported or used. The message names the file, "
    "the line and the error.",
)
_declare(
    "C017",
    "no whole strategy in the code",
    "A file given with `code` or `--code` must define a strategy: a class derived from "
    "`pretextual.corrupt.strategies.Strategy` with a `kind` of its own and a method `units`.",
)
_declare(
    "C018",
    "kind is taken",
    "A strategy in the code has the `kind` of one of pretextual's own, or of another file given beside it.",
)
_declare(
    "C060",
    "weights of units must be finite and not negative",
    "A masking strategy gave a unit a weight below 0, infinite or not a number. 0 means never hidden.",
)
_declare(
    "C025",
    "objectives that no one model serves",
    "The members of an objective `alternate` learn in one model, so one class of Transformers must serve all of them: "
    "encoders fill gaps, decoders say what comes next, and `masked-next-token` fills gaps with a decoder.",
)
_declare(
    "C026",
    "objectives that learn from losses in different ways",
    "Losses are gathered once for all members of an objective `alternate`; strategies that follow them must ask for the "
    "same number of steps, forgetting and smoothing.",
)
_declare(
    "C027",
    "rows too short for three marks",
    "Fill-in-the-middle puts three tokens into a row, and text must have room beside them.",
)

_declare(
    "C037",
    "token vectors of another width",
    "The span-boundary head answers with the model's token vectors, so these must be as wide as its hidden states. "
    "ALBERT and ELECTRA have narrower ones.",
)
_declare(
    "C039",
    "logits that are more than a product",
    "A sampled loss reads single rows of the vocabulary's matrix, so it needs a model whose logits are states times that "
    "matrix, plus a bias. This one changes them afterwards, for example by a cap.",
)
_declare(
    "C038",
    "more noise than tokens",
    "A sampled loss compares a target with `objective.noise_samples` other tokens of the vocabulary. With as many as "
    "there are, the plain softmax is the same and faster.",
)
_declare(
    "C032",
    "not an augmentation",
    "`pretextual.augment` takes the name of a rewrite, a mapping with `kind` and its options, or a list of these; "
    "options beside a name are those of that rewrite. docs/how-to/augment.md lists all.",
)

# --- data ---
_declare(
    "D001",
    "no such source",
    "A source is a path, a glob, a folder, `-` for standard input, or a built-in corpus (`python-docs`, "
    "`capitals`). The message names what lies nearby under the nearest name.",
)
_declare(
    "D002",
    "the glob matches nothing",
    "No file fits the pattern. Put it in quotation marks, so that it reaches pretextual as it stands; `**` "
    "matches any number of folders.",
)
_declare(
    "D003",
    "nothing to read in the folder",
    "Folders are searched, with all folders inside, for .txt, .jsonl, .txt.gz and .jsonl.gz; hidden files and "
    "other names are skipped. Here nothing was left.",
)
_declare(
    "D004",
    "unknown kind of file",
    "Text comes as .txt (plain text) or .jsonl (one JSON object per line), each also as .gz. Rename the file, "
    "or pipe its text through standard input (`-`).",
)
_declare(
    "D005",
    "binary file",
    "The file holds NUL bytes, which text does not. It may be an archive, an image or a model under a wrong "
    "name.",
)
_declare(
    "D006",
    "wrong encoding",
    "The bytes are not in the encoding that `corpus.encoding` names (utf-8 unless said otherwise). The message "
    "names the first byte that does not fit and an encoding that would read it. A UTF-8 byte-order mark is "
    "simply removed.",
)
_declare(
    "D007",
    "broken JSON line",
    "Every line of a .jsonl file is one JSON object. `corpus.broken=skip` skips and counts lines that are "
    "not.",
)
_declare(
    "D008",
    "missing text key",
    "The JSON object has no value under the key that `corpus.text_key` names. The message lists the keys it "
    "has.",
)
_declare(
    "D009",
    "the text is not a string",
    "The value under the text key must be a string of whole characters: no number, list, null, and no half "
    "of a surrogate pair.",
)
_declare(
    "D010",
    "damaged gzip file",
    "The compressed stream ends early or does not decode: an interrupted download, or no gzip file at all.",
)
_declare(
    "D011",
    "unknown part of a built-in corpus",
    "`python-docs` may be followed by installed packages (`python-docs:torch,numpy`), `capitals` by countries "
    "to leave out (`capitals:without=France`).",
)
_declare(
    "D012",
    "no text",
    "The source was read to its end and held no document: it is empty or blank.",
)
_declare(
    "D013",
    "no sources",
    "A corpus needs at least one source: a path, a glob, a folder, `-`, `python-docs` or `capitals`.",
)
_declare(
    "D014",
    "file cannot be read",
    "The operating system refused to open the file.",
)
_declare(
    "D015",
    "a source changed while it was read",
    "Text is read more than once: first to decide which documents go where, then to use them. Between the two "
    "the file was changed. Keep it still and start again.",
)

_declare(
    "D060",
    "nothing to make windows of",
    "A split of the store holds no tokens, so there is no window to train or evaluate on.",
)
_declare(
    "D070",
    "no document with two sentences",
    "Rows of two texts (`windows.mode=pairs`) take both from one document. Documents of a single sentence give no pair; "
    "where lines are documents, every one of them may be such.",
)
_declare(
    "D071",
    "no other document",
    "Next-sentence prediction takes random next texts from other documents. All pairs are of one document.",
)
_declare(
    "D072",
    "row too short for a pair",
    "A row of two texts needs room for both and for three tokens around them.",
)
_declare(
    "D073",
    "pairs for an objective that has no use for them",
    "Rows of two texts (`windows.mode=pairs`) are for objectives that see a whole row at once.",
)

_declare(
    "D075",
    "documents of one row cannot be kept apart",
    "Objectives that write a second row join the documents of a window, as T5 does; the second row speaks of all of "
    "them. `windows.mode=document` gives every document a row of its own.",
)
_declare(
    "D076",
    "windows too short for a span",
    "A window must hold at least one shown and one hidden token beside the special tokens that the objective puts "
    "in. The message says from which length on it does.",
)
_declare(
    "D080",
    "window too short for its rewrites",
    "Rewrites that put tokens in make rows longer. With this many positions not even a window of one token is left.",
)
_declare(
    "D081",
    "texts that cannot be augmented",
    "`pretextual.augment` takes a list of texts and, where `ids` are given, a whole number for each. A text with half "
    "of a surrogate pair has no UTF-8 and cannot be written anywhere.",
)

# --- tokens ---
_declare(
    "T001",
    "no tokenizer here",
    "A tokenizer is a folder with tokenizer.json or vocab.txt, a run (its `model` folder), a token store, or a "
    "name on the Hub. The path that was given holds none of these.",
)
_declare(
    "T002",
    "tokenizer file cannot be read",
    "The folder holds tokenizer files, but one of them is damaged, cut short or of an unknown make.",
)
_declare(
    "T003",
    "Transformers could not load the tokenizer",
    "What is neither tokenizer.json nor vocab.txt goes once through Transformers' AutoTokenizer, which may need "
    "the network (a name on the Hub), SentencePiece or protobuf. The first line of its answer is shown.",
)
_declare(
    "T004",
    "vocabulary larger than the text supports",
    "The training text has fewer different pieces than tokens were asked for. The message says how many it "
    "supports; ask for at most that, or leave `tokenizer.vocabulary_size` at `auto`.",
)
_declare(
    "T005",
    "vocabulary smaller than the alphabet",
    "Every character of the text (256 bytes for byte-level BPE) and every special token needs an id before any "
    "piece of a word can have one. The message says how many ids that takes.",
)
_declare(
    "T006",
    "no text to train a tokenizer on",
    "The training part of the corpus is empty.",
)
_declare(
    "T007",
    "not a token store",
    "A token store is a folder that `pretextual prepare` made; its manifest.json says so.",
)
_declare(
    "T008",
    "incomplete token store",
    "The folder holds token files but no manifest, which is written last: the preparation or a copy was "
    "interrupted.",
)
_declare(
    "T009",
    "damaged token store",
    "A file of the store is missing, unreadable or of another size than its manifest says.",
)
_declare(
    "T010",
    "tokenizer mismatch",
    "The store was made with another tokenizer than the model has: its ids would mean other tokens. Compared "
    "are hashes of everything that ids depend on.",
)
_declare(
    "T011",
    "folder is not free",
    "The folder for the store exists and holds something else; nothing in it was touched. A store of the same "
    "text and tokenizer would have been opened instead.",
)
_declare(
    "T012",
    "disk full",
    "Writing the token store failed because the disk or the user's share of it is full. What was finished is "
    "kept beside the target, and the same command continues from there.",
)
_declare(
    "T013",
    "no tokens",
    "Not one document of the corpus gave a token; the tokenizer drops or cannot spell all of its text.",
)
_declare(
    "T014",
    "a preparing process died",
    "A process that encoded text was killed, most often for want of memory. What was finished is kept, and the "
    "same command continues from there.",
)

_declare(
    "T015",
    "token store of another version",
    "The store was made by a version of pretextual whose stores hold something else. Prepare the text again, in a new "
    "folder; the old one can be deleted.",
)
_declare(
    "T016",
    "annotation layer missing",
    "A masking strategy reads what an annotation says about the tokens, and the store has no such layer. Layers that "
    "need only the store are made when they are missing; one that needs a model or a file must be made by "
    "`pretextual annotate`.",
)
_declare(
    "T017",
    "annotation layer of other tokens",
    "The layer was made for a store with other text, choices or tokenizer, so its places mean something else here. "
    "Annotate this store again.",
)
_declare(
    "T018",
    "wrong annotation",
    "`pretextual annotate STORE --with KIND` takes one of the kinds of annotation, a name made of small letters, digits, "
    "- and _ for the layer (`--as`), and options of the kind as `name=value`.",
)
_declare(
    "T019",
    "tokens do not cover what they spell",
    "Word borders, bytes per token and annotations all come from the places in the text that the tokenizer reports for "
    "its tokens. This one reports places that do not hold what the tokens spell, so everything derived from them "
    "would be wrong.",
)
_declare(
    "T025",
    "spaCy is not installed",
    "Finding entities and parsing with a spaCy pipeline need spaCy, which comes with `pip install "
    '"pretextual[annotate]"`. Rules, gazetteers, checkpoints and treebank files need none.',
)
_declare(
    "T026",
    "no such spaCy pipeline",
    "`spacy=` of `pretextual annotate STORE --with entities` or `--with syntax` takes the folder of a pipeline or the name "
    "of an installed one; for entities it must have a component that finds them, such as `ner` or `entity_ruler`.",
)
_declare(
    "T027",
    "names or facts cannot be read",
    "A gazetteer has a name on every line, then after tabs its type and an id, both optional; facts are lines of head, "
    "relation and tail with tabs between them. Both are UTF-8.",
)
_declare(
    "T028",
    "no token-classification checkpoint",
    "`checkpoint=` of `pretextual annotate STORE --with entities` takes the folder or Hub name of a Transformers model "
    "that labels tokens in the IOB way (`O`, `B-PER`, `I-PER`), with a tokenizer that knows offsets.",
)
_declare(
    "T029",
    "too many types of entities",
    "The type of an entity is kept in one byte. Use the third field of a gazetteer's line for what tells things apart.",
)
_declare(
    "T030",
    "nothing to take the parse from",
    "`pretextual annotate STORE --with syntax` needs either a spaCy pipeline (`spacy=`) or treebank files in CoNLL-U "
    "(`files=`).",
)
_declare(
    "T031",
    "a pipeline that does not parse",
    "The spaCy pipeline cannot be loaded, or gives no Universal parts of speech or no dependency relations.",
)
_declare(
    "T032",
    "a treebank of other texts",
    "No sentence of the treebank files stands in the store's documents, compared by visible characters.",
)
_declare(
    "T033",
    "unreadable treebank",
    "The file is not CoNLL-U: ten columns with tabs between them, words numbered from 1, heads that make a tree, and a "
    "blank line behind every sentence.",
)
_declare(
    "T060",
    "no mask token",
    "A masked LM hides tokens behind a mask token and the tokenizer has none. Train a tokenizer with pretextual, "
    "load an encoder's, or choose a causal objective, which needs none.",
)
_declare(
    "T061",
    "no token for the edge of a document",
    "Rows need a token that begins them and one that ends a document (cls and sep, or bos and eos; one may serve for "
    "both). The tokenizer has none at all.",
)
_declare(
    "T062",
    "no ordinary token to replace with",
    "Random replacement draws from the vocabulary without its special tokens, and nothing is left.",
)

_declare(
    "T065",
    "more spans than sentinels",
    "Every hidden span of a row is replaced by a sentinel of its own (`<extra_id_0>`, `<extra_id_1>`, …), and there "
    "are fewer of these than spans. More sentinels, longer spans, a lower rate or shorter windows help.",
)
_declare(
    "T066",
    "special tokens by name are missing",
    "The objective writes special tokens that it finds by name, such as `<extra_id_0>` or `[NLU]`. Training adds them "
    "to the end of the vocabulary; a tokenizer used without training needs `Tokenizer.with_special`.",
)
_declare(
    "T067",
    "nothing to fill in",
    "An encoder-decoder fills sentinels: `<extra_id_0>`, `<extra_id_1>`, … in the text stand for what it is to write.",
)

# --- model ---
_declare(
    "M001",
    "impossible model shape",
    "The width must be shared equally by the attention heads, and heads that rotate positions have an even "
    "size. The message names widths and numbers of heads that fit.",
)
_declare(
    "M002",
    "the architecture does not serve this objective",
    "Encoders (bert, roberta, modernbert, albert, electra, deberta-v2) learn masked language models, some of them "
    "about pairs of texts or replaced tokens too; decoders (gpt2, llama, qwen3) learn causal ones; encoder-decoders "
    "(t5, bart) write one text from another. Choose an architecture or a checkpoint of the right kind, or the other "
    "recipe.",
)
_declare(
    "M003",
    "no model there",
    "A model is a Transformers folder (config.json beside its weights and tokenizer.json), a run whose "
    "`model/` is such a folder, or the name of a model on the Hub.",
)
_declare(
    "M004",
    "the Hub did not give this model",
    "The name is no local folder, so it was asked for on the Hub, which could not be reached, does not know "
    "it or keeps it closed. Download it where there is a network and give the folder.",
)
_declare(
    "M005",
    "a checkpoint of another tokenizer",
    "Every row of a model's embedding belongs to one token. With another tokenizer the rows would mean "
    "something else, so the model is refused. Use the tokenizer that lies beside the checkpoint.",
)
_declare(
    "M006",
    "this kind of model is not supported",
    "Models for which Transformers has a masked, causal or sequence-to-sequence language-model head are supported, "
    "others are not.",
)
_declare(
    "M007",
    "longer than the model's positions",
    "A model has a fixed number of positions; a longer row or text has no place in it.",
)
_declare(
    "M008",
    "this architecture cannot keep packed documents apart",
    "With `windows.isolate` a document must give the same hidden states as alone. A trial with random rows "
    "showed that this model's attention or positions do not obey.",
)
_declare(
    "M009",
    "the weights cannot be read",
    "The folder looks like a model, but its weights are damaged, incomplete or of another shape than its "
    "config says.",
)
_declare(
    "M010",
    "the tokenizer lacks a special token that the model needs",
    "RoBERTa counts its positions from the pad token, encoders need a mask token. Train the tokenizer with "
    "pretextual or add the token.",
)
_declare(
    "M011",
    "the architecture has no such dropout",
    "Llama and Qwen3 have dropout on attention weights alone; a value above 0 elsewhere would be ignored "
    "silently, so it is refused.",
)
_declare(
    "M012",
    "no gap to fill",
    "Write [MASK] where the model should say something; <mask> and the tokenizer's own name are accepted too.",
)
_declare(
    "M013",
    "nothing to read",
    "The text is empty or blank, or holds no token that the model knows.",
)
_declare(
    "M014",
    "a candidate that cannot be spelled",
    "A candidate is scored by its pieces, and the tokenizer has none for some of its characters.",
)
_declare(
    "M015",
    "this model cannot do that",
    "Encoders fill gaps anywhere and cannot write on; decoders write on and see only what stands before.",
)

_declare(
    "M047",
    "a discriminator without its generator",
    "Replaced-token detection trains two models. The discriminator tells real tokens from replaced ones and has no "
    "words to fill gaps with; its generator, in the folder `generator/` beside it, does.",
)
_declare(
    "M048",
    "generator and discriminator do not fit",
    "Both read one vocabulary, and shared tables of tokens, positions and types must have the same size.",
)
_declare(
    "M030",
    "a tokenizer that rows cannot be masked with",
    "Masks for one's own loop need a tokenizer of ours or one of Transformers on the `tokenizers` library (what "
    "AutoTokenizer loads). Strategies on words read from its tokens where words begin; some tokenizers do not say.",
)
_declare(
    "M031",
    "rows that cannot be masked",
    "Rows are whole numbers in the shape [rows, positions], or examples that are mappings with `input_ids`.",
)
_declare(
    "M032",
    "masks that change need ids",
    "A mask is a function of seed, epoch and the id of its example. `pretextual.dataset` puts id and epoch into every "
    "example; a Trainer drops both unless `remove_unused_columns=False`. Without ids masks can only be static "
    "(`copies=1`).",
)
_declare(
    "M033",
    "the strategy needs more than rows of ids",
    "Some strategies read annotations (counts, entities, a parse) that lie beside the tokens of a store, or the "
    "training's own losses. Rows of ids bring neither; `pretextual pretrain` does.",
)
_declare(
    "M034",
    "training data without ids and epochs",
    "`pretextual.TrainerCallback` tells the training data which epoch it is. The data must be wrapped in "
    "`pretextual.dataset`, and the Trainer must leave its columns alone.",
)

# --- run ---

_declare(
    "R001",
    "device not available",
    "The recipe or `--device` asks for a device that PyTorch cannot use here. `--device auto` takes what there is.",
)
_declare(
    "R002",
    "run folder exists",
    "`--out` names a folder that already holds something. A run is never overwritten: resume it, or choose another "
    "folder.",
)
_declare(
    "R003",
    "damaged checkpoint",
    "A file of a checkpoint does not match the checksum written with it. Delete that checkpoint's folder and resume "
    "from the one before.",
)
_declare(
    "R004",
    "checkpoint of another model",
    "A checkpoint's tensors do not fit the model that the run's recipe describes.",
)
_declare(
    "R005",
    "corpus too small for one batch",
    "The training part gives fewer windows than one batch has rows.",
)
_declare(
    "R006",
    "unreadable extension",
    "`--more` takes a duration (`30m`) or a count (`500 steps`, `2 epochs`).",
)
_declare(
    "R007", "not a run", "The folder holds no `recipe.yaml`, so it is not the folder of a run."
)
_declare(
    "R008",
    "disk too small",
    "Checkpoints and model would not fit on the disk, so nothing was started. `pretextual check` shows the need.",
)
_declare(
    "R009",
    "loss is not finite",
    "Loss or gradient became NaN or infinite. The optimiser step was turned into nothing, so the weights are those of "
    "the step before; the message names step and windows, and `pretextual replay` shows them.",
)
_declare(
    "R010",
    "recipe differs from the run's",
    "The folder holds a run of another recipe. `--or-resume` and `resume` go on with the recipe they find, never with "
    "a changed one.",
)
_declare(
    "R011",
    "disk full",
    "The disk filled up while the run was writing. What was complete before is untouched; make room and resume.",
)
_declare(
    "R012",
    "step out of range",
    "`replay --step` takes a step that the run has done or can still do, counted from 1.",
)
_declare(
    "R013",
    "store changed",
    "The token store that a run trained on is gone or holds other tokens than when the run began.",
)

_declare(
    "R014",
    "optional package missing",
    "The recipe asks for something that an optional package does; the message names the extra that installs it.",
)
_declare(
    "R015",
    "run in use",
    "Another process is working in the run's folder. Two at once would write over each other's checkpoints.",
)
_declare(
    "R016",
    "an annotation is not what it was",
    "A run's masks depend on the layers that its strategy reads. A layer of the store was made again in another way "
    "since the run began, so going on would mask differently.",
)
_declare(
    "R017",
    "array of a control record is not what it was",
    "Masking follows arrays that training wrote into the run's folder `controls`, beside `controls.jsonl`. One of them "
    "is missing or changed, so the run can neither go on nor be replayed as it was.",
)
_declare(
    "R018",
    "code is not what it was",
    "A run keeps copies of the user's own code in its folder `code`. One of them was changed, so going on would mask "
    "differently.",
)
_declare(
    "R020",
    "nothing to compare",
    "`compare` needs at least two different values, written `--vary key=a,b`, and at least two seeds of each, since the "
    "spread over seeds is what a difference is measured by.",
)
_declare(
    "R021",
    "a key that cannot be varied",
    "Losses compare only on the same text, cut into the same windows, after the same number of steps. What decides "
    "those is the same for all values.",
)
_declare(
    "R022",
    "a comparison needs a number of steps",
    "A time budget or early stopping gives every run its own number of steps, so that speed would count as learning.",
)
_declare(
    "R023",
    "nothing to measure by",
    "Models are compared on held-out text, by document. There is none, or a single document, from which nothing can be "
    "said of others.",
)
_declare(
    "R024",
    "the folder holds another comparison",
    "A row in `rows.jsonl` has the name of a job but comes from another recipe, text or set of minimal pairs.",
)
_declare(
    "R025",
    "not minimal pairs",
    "Minimal pairs are JSON lines as BLiMP publishes them: UID, pairID, sentence_good and sentence_bad.",
)
_declare(
    "R026",
    "models that cannot be asked the same",
    "The values compared give models of different kinds: some fill gaps, some say what comes next.",
)
_declare(
    "R030",
    "an objective about two texts without pairs",
    "Next-sentence prediction and sentence order ask about two texts in a row, so rows must hold two.",
)
_declare(
    "R031",
    "a model that cannot say what comes next",
    "Whether one text follows another is answered by a head for next-sentence prediction, which this model lacks or "
    "which was drawn at random when it was loaded.",
)
_declare(
    "R032",
    "nothing to score",
    "A text needs at least one token to have a likelihood.",
)
_declare(
    "R033",
    "a model that gives texts no likelihood",
    "Texts are scored by models that say what stands in a place of a text. One that writes a second text, or tells real "
    "tokens from replaced ones, does not.",
)
_declare(
    "R040",
    "report cannot be written",
    "The operating system refused to write the report's file: its folder is read-only, full, or a file stands where a "
    "folder should.",
)
