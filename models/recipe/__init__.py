"""The recipe of the built-in Mandarin telephone model: words, speech, training, graph, export (`make model`)."""
