"""Training and judging the pocket reader: a small model that copies an answer out of evidence.

Knows how to make a checkpoint folder in the ChatGLM3 layout. Nothing at run time imports this
package, and the folder it writes is loaded by llm like any released one.
"""
