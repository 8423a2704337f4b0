"""Words are counted as a reader meets them, and the times of pages are added up."""

from __future__ import annotations

from tools.weave.times import PACE, Reading, read, table_html


def test_prose_counts_and_code_outputs_claims_and_answers_do_not() -> None:
    page = """
    <h1>One two<a class="headerlink" href="#x">¶</a></h1>
    <p>three <code>four</code> five&amp;six <br> 1,000 don't</p>
    <div class="highlight"><pre><code>no no</code></pre></div>
    <pre class="output">no</pre>
    <ul class="claims" aria-label="no"><li class="claim">no no</li></ul>
    <svg><desc>no</desc></svg>
    <details class="code"><summary>no</summary></details>
    <details class="question"><summary>no</summary><p>no</p><details>no</details></details>
    <div class="optional"><p>no</p><details>no</details></div>
    <div class="widget" data-widget="x"><p class="widget-note">no</p></div>
    <table><tr><td>nine</td><td>—</td></tr></table>
    """
    assert read(page) == Reading(words=9, answers=1)


def test_the_choices_of_one_question_are_one_answer() -> None:
    choices = "<details>no</details>\n<details>no</details>"
    assert read(f"<p>one</p>{choices}<p>two</p>{choices}") == Reading(words=2, answers=2)


def test_times_are_added_up() -> None:
    pages = [("A & B", "a.html", Reading(PACE, 0)), ("C", "c.html", Reading(2 * PACE, 4))]
    html = table_html({"Reading": pages, "Practice": pages[:1]})
    assert f"<td>{3 * PACE:,} words</td><td>4 min</td>" in html
    assert '<a href="a.html">A &amp; B</a></td><td>' in html
