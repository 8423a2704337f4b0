"""What BERT's pretraining and fine-tuning are made of, in code that runs.

Each module is one idea of the lesson and is imported by its own name, for example
``from bertlesson.masking import MaskingCollator``. Nothing is imported here, so that what
needs only the masking does not load the rest.
"""
