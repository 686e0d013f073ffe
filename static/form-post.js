// A field may be called "submit" and hide the form's own method; the prototype's cannot be hidden.
HTMLFormElement.prototype.submit.call(document.getElementById("form-post"));
