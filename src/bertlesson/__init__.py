"""What BERT's pretraining and fine-tuning are made of, in code that runs.

Each module is one idea and is imported by its own name, for example
``from bertlesson.masking import MaskingRecipe``. Nothing is imported here, so that what needs only
the masking does not load the rest. `bertlesson.lesson` has what only the lesson uses.
"""
