// On to the application once each frame on this page has told its own application; one that hangs is not waited for.
const back = document.getElementById("back");
const go = () => location.replace(back.href);
addEventListener("load", go);
setTimeout(go, 3000);
